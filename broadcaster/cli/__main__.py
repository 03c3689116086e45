"""`python -m broadcaster.cli`: the same as `daohu`."""

from broadcaster.cli.app import main

if __name__ == "__main__":
    main()
