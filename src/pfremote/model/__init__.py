"""The values that travel between the rooms; they hold data and no behaviour of their own. Pure."""
