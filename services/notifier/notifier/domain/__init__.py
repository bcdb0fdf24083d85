"""The rules of sending: whom to reach, what an answer means, when to try again. Pure; `now` is handed in."""
