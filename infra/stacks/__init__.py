"""What is deployed: templates, the settings of stages, and the code that stands in a template itself."""
