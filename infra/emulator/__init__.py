"""An AWS account on this machine, to which the packaged service is deployed as it is to the real one."""
