"""Files of the drop zone become objects of the archive: read, map, validate, write."""
