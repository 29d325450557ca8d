"""The report: figures, the page that shows them, and the server of a page that grows."""
