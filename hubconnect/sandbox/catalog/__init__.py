"""What a fresh account holds, as data: object types, properties, pipelines, association types."""
