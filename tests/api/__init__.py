"""The HTTP edge, driven by the events that API Gateway sends, over twins of the stores."""
