"""Renderings of a finished run: text, Markdown, JSON and one self-contained HTML page."""
