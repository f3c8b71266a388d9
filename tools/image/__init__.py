"""``make image``: build the images for real and probe them as they run."""
