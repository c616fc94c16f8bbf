"""``python -m synthcity`` is the command ``synthcity``."""

from synthcity.cli.main import main

if __name__ == "__main__":
    main()
