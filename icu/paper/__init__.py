"""What the ward sheet on paper needs of the record, for when everything fails."""
