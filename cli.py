"""Run the command line from a checkout: `python cli.py --help`."""

from provisioner.cli import main

if __name__ == "__main__":
    main()
