-- What a vendor's devices send is said once, as a profile, and named by sensors and bindings.

CREATE TABLE city.profile (
    profile text PRIMARY KEY,
    step_s  int4,
    stamp   text NOT NULL CHECK (stamp IN ('start', 'end', 'unknown')),
    fields  jsonb NOT NULL,
    codec   jsonb
);
COMMENT ON COLUMN city.profile.fields IS 'by the field''s name: metric, unit, scale and the like, as in city.toml';
COMMENT ON COLUMN city.profile.codec IS 'how the device packs its bytes, where a network passes those on';

ALTER TABLE city.sensor ADD COLUMN profile text REFERENCES city.profile;
ALTER TABLE city.binding ADD COLUMN profile text REFERENCES city.profile;
COMMENT ON COLUMN city.binding.profile IS 'whose codec reads the devices that have no profile of their own';
