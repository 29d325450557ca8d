"""The report: figures, the page that shows them, and the server of the live page."""
