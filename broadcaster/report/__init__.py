"""What is read of an alert as a whole: its course, its timeline, how long it takes, its account in the end."""
