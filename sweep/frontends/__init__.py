"""Front ends: from waveform to features, in training and as the LiteRT graph deployed."""
