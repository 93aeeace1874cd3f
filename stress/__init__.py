"""Campaigns that a command runs: months, crashes, hostile answers, disks, soak, market."""
