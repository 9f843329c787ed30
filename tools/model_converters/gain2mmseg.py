"""``convert.py gain`` under its old name."""
from convert import main

if __name__ == '__main__':
    main('gain')
