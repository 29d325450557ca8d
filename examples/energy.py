"""A metric from outside: an estimate of the energy of one inference.

metrics: [energy:ENERGY]
limits: {energy_uj: "<= 60"}
objectives: {accuracy: maximize, energy_uj: minimize}
"""

import sweep

UJ_PER_MULTIPLY_ADD, UJ_PER_KB = 1e-4, 0.5  # of a made-up device; measure your own

ENERGY = sweep.Metric(
    "energy_uj",
    "energy of one inference, estimated from multiply-adds and RAM",
    lambda found: UJ_PER_MULTIPLY_ADD * found["multiply_adds"] + UJ_PER_KB * found["arena_kb"],
    unit="uJ",
)
