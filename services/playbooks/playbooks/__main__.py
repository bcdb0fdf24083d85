"""`python -m playbooks`."""

from playbooks.app import main

if __name__ == "__main__":
    main()
