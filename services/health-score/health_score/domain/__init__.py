"""The health model: facts fold into an account's state, the state is judged by a scorecard, and the clock's part is foretold.

Pure functions of (state, input, now), on the standard library alone. Times are epoch seconds (UTC); `now` is handed in.
"""
