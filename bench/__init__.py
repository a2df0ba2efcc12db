"""Figures beside real peers, as ratios within one run; see docs/benchmarks.md. Nothing here is a test."""
