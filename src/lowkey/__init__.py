"""lowkey."""
