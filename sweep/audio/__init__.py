"""Where clips come from: folders, downloads and synthetic speech, decoded and split."""
