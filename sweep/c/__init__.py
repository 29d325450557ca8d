"""The front end as C99, for devices whose runtime has no Fourier transform."""

FOLDER = "c"
"""The folder of C in an exported folder."""

FILES = ("frontend.c", "frontend.h", "golden.h", "test.c", "Makefile", "README.md")
"""The files in it."""
