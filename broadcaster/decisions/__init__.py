"""What the office decides in the console, over what comes with the house: message templates and policies."""
