"""Why a number is what it is, told from the stored state."""
