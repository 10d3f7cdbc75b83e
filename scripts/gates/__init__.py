"""The gates that are measured, what they found last, and the page that says so."""
