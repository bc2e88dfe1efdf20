"""Record linkage over files on this machine."""
