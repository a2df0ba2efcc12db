"""A log that is too large to be held: read twice, piece by piece; what is over and of no interest is counted only."""
