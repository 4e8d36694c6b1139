"""The tag on AWS that says which run is at work on a stack, so that two machines never change it at once."""
