-- Whose event it is: the subject of the organiser's token; NULL where nobody had to say who they are.
ALTER TABLE events ADD COLUMN organiser_id text;
