"""What the nodes of a cluster run on: processes of this machine, or rented machines."""
