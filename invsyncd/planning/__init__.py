"""What the rules ask for, decided from the stored state without a call."""
