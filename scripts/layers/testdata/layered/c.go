package layered

const max = 1
