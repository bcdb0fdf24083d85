"""`python -m health_score`."""

from health_score.app import main

if __name__ == "__main__":
    main()
