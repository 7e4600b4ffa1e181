"""What a person at a terminal sees, of a command or of a program."""
