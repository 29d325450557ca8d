"""A trial as C99, for devices: the front end and the network."""

FOLDER = "c"
"""The folder of C in an exported folder."""

SOURCES = (*("classifier.h", "classifier.c", "frontend.h", "frontend.c", "network.h", "network.c"),)
FILES = (*SOURCES, "golden.h", "test.c", "Makefile", "README.md")
"""The files in it."""

QUANTIZATIONS = ("float32", "int8", "int8_per_tensor")
"""The variants of a network that have C, those that LiteRT for Microcontrollers runs."""
