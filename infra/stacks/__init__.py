"""What is deployed: templates, what is put into them, the settings of stages, and code that stands in one."""
