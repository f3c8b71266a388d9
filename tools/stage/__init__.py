"""What demonstration and load test share: the parts that have to run, and how they are asked."""
