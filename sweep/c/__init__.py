"""A trial as C99, for devices: the front end and the network."""

FOLDER = "c"
"""The folder of C in an exported folder."""

SOURCES = (*("classifier.h", "classifier.c", "frontend.h", "frontend.c", "network.h", "network.c"),)
"""The files of a classifier."""

OF_STREAMS = ("detector.h", "detector.c", "example.c")
"""Those that a model with an operating point has besides."""

FILES = (*SOURCES, *OF_STREAMS, "golden.h", "test.c", "Makefile", "README.md")
"""The files in it."""

BUILT = ("example",)
"""What its ``Makefile`` leaves there."""

QUANTIZATIONS = ("float32", "int8", "int8_per_tensor")
"""The variants of a network that have C, those that LiteRT for Microcontrollers runs."""
