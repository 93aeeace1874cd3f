"""How we talk to anybody: one request, its retries, its rate; it knows no API by name."""
