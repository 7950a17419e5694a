/* The picture of why something was refused. */

/* An element, or null when the event explains nothing. */
export const explanation = () => null;
