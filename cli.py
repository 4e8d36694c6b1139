"""Run the command line from a checkout: `python cli.py --help`."""

from provisioner import stopping

if __name__ == "__main__":
    stopping.end_at_once()  # until `main` listens: the imports below take time

from provisioner.commands.main import main

if __name__ == "__main__":
    main()
