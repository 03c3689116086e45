"""What is read of an alert as a whole: its course, its timeline, how long it will still take, the account afterwards."""
