"""Who asks: bearer tokens become principals. What a principal may do is the edge's (`api/access.py`)."""
