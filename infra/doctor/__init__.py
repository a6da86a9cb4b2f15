"""What a deployment needs of this machine, this checkout and the account, looked at before it is needed."""
