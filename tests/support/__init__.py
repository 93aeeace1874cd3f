"""What the tests share: virtual time, a whole world, running processes, official schemas."""
