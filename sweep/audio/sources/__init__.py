"""Where recordings come from: a folder, the network, eSpeak NG, or a source from outside."""
