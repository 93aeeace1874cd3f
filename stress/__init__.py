"""The long campaigns: months, crashes, hostile answers, disks, soak. Each is a command."""
