"""A trial as C99, for devices: the front end and the network."""

FOLDER = "c"
"""The folder of C in an exported folder: a library in the layout of Arduino's."""

LIBRARY = "src"
"""Its folder with what a firmware compiles."""

SOURCES = ("classifier.h", "classifier.c", "frontend.h", "frontend.c", "network.h", "network.c")
"""The files of a classifier, in the library."""

DETECTOR = ("detector.h", "detector.c")
"""Those that a detector has besides."""

EXAMPLES = ("example.c", "examples/Listen/Listen.ino")
"""Programs with a detector."""

OF_STREAMS = (*(f"{LIBRARY}/{name}" for name in DETECTOR), *EXAMPLES)
"""The files that only a model with an operating point has."""

FILES = (
    *(f"{LIBRARY}/{name}" for name in SOURCES),
    *OF_STREAMS,
    *("golden.h", "test.c", "Makefile", "README.md", "library.properties"),
)
"""The files of the folder."""

BUILT = ("example", "classifier.o")
"""What its ``Makefile`` leaves there."""

QUANTIZATIONS = ("float32", "int8", "int8_per_tensor")
"""The variants of a network that have C, those that LiteRT for Microcontrollers runs."""
