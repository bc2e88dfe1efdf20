"""What the lake tells about segments and about sources, as counts that a report is made of."""
