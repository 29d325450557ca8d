"""Networks, declared by their layers."""
