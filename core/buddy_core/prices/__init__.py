"""What models cost by the token: said by the user, or known to the package `genai-prices`; never asked of a network."""
