"""What the service costs on AWS: public prices, and a model that multiplies them by measured figures."""
