"""What a resource type is: its data, its methods, its field owners, its children."""
